"""Replies of the planner when there is nothing to call."""

from __future__ import annotations

import re

from dsbuilder_tui.offline.planner.planning_context import PlanningContext

INTRODUCTION = "I am the built-in planner, because no model is connected."
_ABLE = "\n".join(
    (
        "I plan and run evaluation datasets: say what the bot is for, how many cases, and which kinds; later for instance "
        "“make refunds 80”, “pause”, “export to csv”.",
        "For example: “60 cases for a customer service bot: half order status, the rest refunds and product info”.",
        "`/plan edit` opens the plan as a form. I am the built-in planner; connect a model (settings: a key or a base_url) "
        "for a main agent that understands everything.",
    )
)
_GREETING = (
    r"(?:hi|hello|hey|hiya|good (?:morning|evening|afternoon|day)|hola|hallo|bonjour|moin|greetings)(?: (?:there|"
    r"again|you|all|bot|planner))?"
)
_THANKS = (
    r"(?:many |ok |okay |great |cool |perfect |nice )*(?:thanks|thank you|thx|cheers|ty)(?: (?:a lot|so much|very "
    r"much|again|you))*|(?:great|cool|nice|perfect|awesome|well done)(?: (?:work|job|thanks))?"
)
_TAIL = (
    r"(?:[ ,]+(?:please|here|now|then|with (?:this|that|it)|for me|to me|do it|go ahead|thanks|thank you|of course|"
    r"that's fine))*"
)
_HELP = (
    r"(?:/?help|\?+|help me|i need help|what can (?:you|i) (?:do|say|ask)|what do you do|how does (?:this|it) work|"
    r"who are you|what are you|what is this|what now|commands|how (?:do|can|should) (?:i|we) .{1,80}|"
    r"are you (?:an? )?(?:ai|bot|human|real|llm|model|real person))" + _TAIL
)
_YES = (
    r"(?:yes|yep|yeah|yup|sure|ok|okay|fine|agreed|approved?|accept|(?:looks|sounds|all) good|good|perfect|lgtm|y|"
    r"that's right|correct|i agree|i approve)(?:[ ,]+(?:looks good|sounds good|good|perfect|start|it|the plan))*"
    + _TAIL
)
_NO = r"(?:no|nope|nah|n|cancel|never mind|nevermind|forget it|decline|not now|no thanks|no thank you|don't)"


def not_understood(situation: PlanningContext, heard: str = "") -> str:
    """What the planner can do, in three lines."""
    start = "I did not understand that.\n" if heard else ""
    return start + _ABLE


def small_words(text: str, situation: PlanningContext) -> str | None:
    """The answer to a greeting, thanks, a call for help, or a no with nothing to refuse."""
    text = text.strip(" .!,?…") if text.strip() != "?" else "?"
    if re.fullmatch(_HELP, text, re.IGNORECASE):
        return _ABLE
    if re.fullmatch(_GREETING, text, re.IGNORECASE):
        if situation.base is None:
            return (
                "Hello. What should the dataset test? For example: “60 cases for a customer service bot: half "
                "order status, the rest refunds”."
            )
        return (
            f"Hello. {situation.base.dataset_name} is planned with {situation.base.total_instances:,} cases; what "
            f"shall I do with it?"
        )
    if re.fullmatch(_THANKS, text, re.IGNORECASE):
        return "You are welcome."
    if re.fullmatch(_NO, text, re.IGNORECASE):
        return "Fine, nothing is changed."
    return None


def says_yes(text: str) -> bool:
    return bool(re.fullmatch(_YES, text.strip(" .!,"), re.IGNORECASE))
