"""Parts of a list that name no category: how cases are written, limits and settings, dates, files, asides.

In “seat changes, refunds, and make it snappy” the last says how; none of its words may become a category's name.
"""

from __future__ import annotations

import re

_ADVERB = (
    r"(?:(?:very|really|quite|more|most|super|extra|fairly|rather|so|all|too|not|nice and|a bit|a little|kind of|sort of|"
    r"somewhat|pretty|highly|mostly|always|just|only|please|maybe|also|totally) )*"
)
_LOOK = (
    r"snappy|snappier|funny|funnier|witty|creative|realistic|natural|naturally|diverse|varied|concise|crisp|punchy|playful|"
    r"professional|serious|simple|simpler|plain|sweet|fun|interesting|engaging|lively|humorous|sarcastic|ironic|warm|"
    r"empathetic|lowercase|uppercase|random|unique|original|lifelike|colloquial|idiomatic|balanced|clean|human|boring|"
    r"dramatic|poetic|childish|dry|blunt|direct|chatty|wordy|sloppy|spicy|edgy|modern|old-fashioned|catchy|vivid|"
    r"readable|believable|authentic|cool|nice|good|great|perfect|friendly|casual|informal|formal|polite|rude|short|long|"
    r"brief|terse|loud|quiet|happy|sad|excited|relaxed|angry|british|american|correct|proper|broken|bad|poor|high|low|"
    r"best|better|top|different|lower|upper|mixed|everyday"
)
_STYLE = (
    r"emojis?|emoticons|smileys|slang|jargon|humou?r|irony|sarcasm|swearing|swear words|cursing|profanity|abbreviations|"
    r"hashtags|lowercase|uppercase|(?:lower|upper|title) ?case|capitals|capital letters|all caps|spelling|punctuation|"
    r"wording|phrasing|tone|style|voice|vibes?|mood|manner|variety|diversity|quality|grammar|repetitions?|duplicates?|"
    r"repeats|exclamation marks|filler words|small talk words|dialect|rhymes?|realism|lengths?|english|language|practices"
)
_SOME = r"(?:(?:some|a few|a little|a bit of|lots? of|a lot of|plenty of|many|much|more|less|fewer|no|the|a|an|any|zero|max) )*"
_STYLED = rf"{_SOME}{_ADVERB}(?:(?:{_LOOK}),? (?:and )?)*(?:{_STYLE})"
UNIT = (
    r"words?|sentences?|lines?|characters?|chars|letters|tokens?|paragraphs?|syllables|bullet points|minutes?|mins?|hours?|"
    r"seconds?|secs?|days?|weeks?|months?|dollars?|euros?|pounds?|cents?|usd|eur|bucks|workers?|threads?|retries|attempts?|"
    r"stars?|percent"
)
_DAY = (
    r"today|tonight|tomorrow|noon|midnight|now|(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:the )?end of .+|eod|"
    r"(?:this|next|the) (?:week|month|weekend|morning|afternoon|evening|monday|friday|release|demo|meeting|sprint)"
)
_THEM = (
    r"(?:it|them|this|these|everything|things|all|each|every|"
    r"the (?:cases|questions|messages|tone|style|wording|language|result|file|dataset|data|whole))"
)


def _spaced(words: str) -> str:
    """A pattern for use in a verbose one, in which a space counts for nothing."""
    return words.replace(" ", r"\ ")


_NO_CATEGORY = re.compile(
    rf"""(?:
      {_spaced(_ADVERB)}(?:{_spaced(_LOOK)})(?:,?\ (?:and\ |but\ )?{_spaced(_ADVERB)}(?:{_spaced(_LOOK)}))*
    | (?:(?:with|without|using|use|in|add|include|avoid|throw\ in|sprinkle\ in|keep|
        vary|watch|mind|mix\ up)\ )?{_spaced(_STYLED)}(?:\ each)?
    | in\ (?:an?|the)\ .+\ (?:tone|style|voice|way|manner|mood|language|format)
    | (?:like|the\ way)\ (?:an?|the|real|my|in)\ .+ | as\ .+\ as\ .+ | as\ (?:always|usual|before|discussed|agreed|above|below)
    | (?:be|try|ensure|make\ sure|avoid|never|always|vary|pretend|imagine|hurry|surprise|impress|remember|note|beware)\b.*
    | (?:think|act|sound|behave)\ (?:like|as|more|less|step|hard|twice|about|of|carefully|natural|human)\b.*
    | (?:keep|make|save|store|put|write|phrase|word|let|mix|print|send|email|export|upload|format|output|show|name|call|
        check|double\ check|review|do|finish|start|translate|rewrite|sort|shuffle|label|tag|number)\ (?:up\ )?{_spaced(_THEM)}\b.*
    | (?:save|export|write|output|store|dump|send|print)\ (?:to|as|into|in)\b.*
    | (?:give|tell|show|send|ask|let|spare)\ (?:me|us|him|her)\b.*
    | (?:nothing|everything|anything|whatever|whichever|however|somehow|nobody)\b.*
    | (?:etc|and\ so\ (?:on|forth)|so\ (?:on|forth)|and\ the\ like|the\ like|and\ more|you\ name\ it|among\ others|the\ usual|
        (?:stuff|things)\ like\ that|and\ stuff|or\ so|or\ something|that\ sort\ of\ thing)
    | (?:(?:as\ )?soon(?:\ as\ .+)?|asap|urgently|right\ away|immediately|quickly|fast|in\ a\ hurry|today|tonight|tomorrow|
        (?:by|before|until|till|due|for)\ (?:{_spaced(_DAY)})|ready\ (?:for|by|before|until)\ .+|
        (?:no|any)\ rush|take\ your\ time)
    | (?:that\ |it\ |this\ )?(?:would|will|should|might)\ be\ .+
    | (?:.*\ )?(?:you\ (?:think|like|can|want|know|choose|pick|decide|prefer|need|see|wish)|(?:i|we|they|he|she)\ [a-z']+|
        [a-z]+(?:s|ed)?\ it\ (?:today|tomorrow|now|by|as|in|to|for|asap|soon|badly)|
        it(?:'s|\ (?:is|should|must|will|has|can|matters)))\b.*
    | (?:at\ (?:most|least)|under|over|below|above|max(?:imum)?|min(?:imum)?|up\ to|no\ more\ than|(?:less|fewer|more|longer|
        shorter)\ than|between|within|about|around|exactly|only|limit(?:ed)?\ to|in|of)?\ ?(?:of\ )?
      -?\d+(?:\.\d+)?(?:\ ?(?:-|to|and|or)\ ?\d+)?\ ?-?(?:{_spaced(UNIT)})\b(?:\ (?:each|long|max|maximum|at\ most|
        or\ (?:less|more|fewer)|per\ \w+|
        in\ total|budget|limit|apiece|only))*
    | (?:random\ )?(?:seed|version|temperature|batch\ size|max\ tokens|timeout|revision|draft|
        priority|top\ p)\ (?:of\ |is\ |=\ ?)?\d[\d.]*
    | v\d[\d.]*
    )[\s.!]*""",
    re.IGNORECASE | re.VERBOSE,
)
_COURTESY = re.compile(
    r"(?:(?:many |lots of )?(?:thanks|thank you|thx|cheers|please|regards|appreciated|sorry|bye|ciao|best wishes|kind regards|"
    r"best regards|best|good luck|have a (?:nice|good|great) .+|if (?:possible|you can|you could|you please|you don't mind|"
    r"that's (?:ok|okay|fine|possible))|much appreciated|(?:so|very) much|a lot|again|in advance|no duplicates|no repeats|"
    r"no repetition|"
    # The yes to the plan begins the run.
    r"(?:(?:then|afterwards|after that) )?(?:start|begin|go|run|launch)(?: (?:it|now|writing|generating|working|right away|"
    r"immediately|the run|with it))*)[\s.!,]*)+",
    re.IGNORECASE,
)
_FILE = re.compile(r"[\w.\\/~-]*[\w-]\.(?!js$|ts$|io$|ai$|net$)[a-z][a-z0-9]{1,7}(?:\.gz)?$", re.IGNORECASE)


def is_courtesy(phrase: str) -> bool:
    """Whether a part of a list asks for nothing, or for what holds anyway: “thanks a lot”, “no duplicates”."""
    return bool(_COURTESY.fullmatch(phrase.strip()))


def names_no_category(phrase: str) -> bool:
    """Whether a part of a list says something else than what cases are about. Numbers stand in digits."""
    return bool(_NO_CATEGORY.fullmatch(" ".join(phrase.split())))


def is_file_name(piece: str) -> bool:
    """Whether a piece of a message that looks like a path has a file's ending; ``node.js`` is a subject."""
    return bool(_FILE.fullmatch(piece))
