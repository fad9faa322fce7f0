"""The conversation table: what was said, and what the built-in planner did about it."""

from __future__ import annotations

import pytest

from dsbuilder_tui.offline.planner.fallback_replies import nearest
from dsbuilder_tui.offline.planner.intent_table import intent_table
from dsbuilder_tui.offline.planner.planning_context import PlanningContext
from dsbuilder_tui.offline.planner.understand import understand
from tests.offline.planner.planning import NOTHING, WITH_AXES, acts_of, shop_plan
from tests.offline.planner.verdicts import verdict

BEFORE_A_PLAN = [
    ("three equal groups: refunds, order status, product info", "says How many cases should it hold in all?"),
    (
        "60 cases in three equal groups: refunds, order status, warranty",
        "plan refunds 20, order_status 20, warranty 20",
    ),
    (
        "90 cases for a shop bot, 3 equal parts: refunds, returns and shipping",
        "plan refunds 30, returns 30, shipping 30",
    ),
    ("60 cases, three equal groups: a, b, c", "plan a 20, b 20, c 20"),
    ("80 cases, 4 equal categories: zebras, lions, tigers, bears", "plan zebras 20, lions 20, tigers 20, bears 20"),
    ("120 cases for a hotel bot in two equally sized groups: bookings, amenities", "plan bookings 60, amenities 60"),
    ("two equal groups of 15: refunds, complaints", "plan refunds 15, complaints 15"),
    (
        "30 cases split into three equal parts: refunds, returns, complaints",
        "plan refunds 10, returns 10, complaints 10",
    ),
    (
        "60 cases for an online shop's support bot: half refunds, the rest order status",
        "plan refunds 30, order_status 30",
    ),
    ("60 cases for my shop’s assistant: half refunds, the rest order status", "plan refunds 30, order_status 30"),
    ("50 cases for the bank's mobile app: card blocking, transfers", "plan card_blocking 25, transfers 25"),
    (
        "40 cases for my company's chatbot: a few product questions, the rest refunds",
        "plan product_questions 20, refunds 20",
    ),
    ("40 cases for a shop bot: several service requests, half refunds", "plan service_requests 20, refunds 20"),
    ("30 cases for our team's bot: a couple of refunds, the rest order status", "plan refunds 2, order_status 28"),
    ("60 cases for a shop bot with expected answers: refunds, returns", "plan refunds 30, returns 30"),
    ("60 cases for a shop bot: refunds, returns, with reference answers for each", "plan refunds 30, returns 30"),
    ("60 multi-turn cases for a shop bot: refunds, returns", "plan refunds 30 conversation, returns 30 conversation"),
    ("30 multi-turn refunds cases", "plan refunds_multi_turn 30 conversation"),
    ("60 cases for a shop bot: half refunds, the rest order status", "plan refunds 30, order_status 30"),
    ("40 cases: 10 refunds, 30 complaints", "plan refunds 10, complaints 30"),
    ("thanks", "says You are welcome."),
    ("hello", "says Hello."),
    ("status", "says Nothing is planned yet."),
    ("what now", "says I plan and run evaluation datasets"),
    ("what should I do?", "says Say what the dataset is for"),
    ("can you translate case 12?", "says Nothing is planned yet."),
    ("add a note to case 12", "says Nothing is planned yet."),
    ("how long would 1000 cases take", "says Say the change itself"),
    ("quit", "says ^Q leaves."),
    ("40 cases for a watch shop: watch repairs, straps", "plan watch_repairs 20, straps 20"),
    (
        "asdf qwer",
        "says I did not understand that. The nearest that I do: “60 cases for a customer service bot: half order status, the rest refunds” and “90 cases in three equal groups: refunds, returns, shipping”",
    ),
    (
        "go back to the first plan",
        "says I did not understand that. The nearest that I do: “60 cases for a customer service bot: half order status, the rest refunds” and “90 cases in three equal groups: refunds, returns, shipping”",
    ),
    (
        "make refunds 80",
        "says I did not understand that. The nearest that I do: “20 angry and 20 polite refunds” and “30 multi-turn cases about refunds”",
    ),
    ("100 cases for a travel bot", "plan flight_search 25, booking_changes 25, baggage 25, visas 25"),
]
WITH_A_PLAN = [
    (
        "add 200 complaints and 100 warranty claims",
        "change refunds 40, order_status 20, product_info 10, complaints 200, warranty_claims 100",
    ),
    ("add 200 zebras and 100 lions", "change refunds 40, order_status 20, product_info 10, zebras 200, lions 100"),
    ("add 10 refunds and 5 order status", "change refunds 50, order_status 25, product_info 10"),
    ("add 10 refunds and 5 zebras", "change refunds 50, order_status 20, product_info 10, zebras 5"),
    (
        "add 5 complaints, 6 warranty claims and 7 returns",
        "change refunds 40, order_status 20, product_info 10, complaints 5, warranty_claims 6, returns 7",
    ),
    (
        "please add 12 zebras, 13 lions and 14 tigers",
        "change refunds 40, order_status 20, product_info 10, zebras 12, lions 13, tigers 14",
    ),
    ("include 5 zebras and 5 lions", "change refunds 40, order_status 20, product_info 10, zebras 5, lions 5"),
    ("add 10 more refunds and 20 more product info", "change refunds 50, order_status 20, product_info 30"),
    ("add 30 zebras, make refunds 20", "change refunds 20, order_status 20, product_info 10, zebras 30"),
    ("add a few product questions", "change refunds 40, order_status 20, product_info 10, product_questions 10"),
    ("add several technical questions", "change refunds 40, order_status 20, product_info 10, technical_questions 10"),
    ("add 15 general questions", "change refunds 40, order_status 20, product_info 10, general_questions 15"),
    ("remove refunds and rename order status to parcels", "change parcels 20, product_info 10"),
    ("remove product info and rename refunds to paybacks", "change paybacks 40, order_status 20"),
    ("drop order status and call refunds paybacks", "change paybacks 40, product_info 10"),
    ("rename refunds to paybacks and remove product info", "change paybacks 40, order_status 20"),
    (
        "delete product info, then rename order status to parcels and add 5 zebras",
        "change refunds 40, parcels 20, zebras 5",
    ),
    ("swap product info for warranty", "change refunds 40, order_status 20, warranty 10"),
    ("swap refunds for returns", "change order_status 20, product_info 10, returns 40"),
    ("swap out order status for zebras", "change refunds 40, product_info 10, zebras 20"),
    ("replace refunds with returns", "change order_status 20, product_info 10, returns 40"),
    ("replace product info by 'spare parts'", "change refunds 40, order_status 20, spare_parts 10"),
    ("exchange product info for complaints", "change refunds 40, order_status 20, complaints 10"),
    ("swap refunds and product info", "change refunds 10, order_status 20, product_info 40"),
    ("swap product info for refunds", "change refunds 50, order_status 20"),
    (
        "swap zebras for lions",
        "says There is no category called zebras; there are refunds, order_status, product_info.",
    ),
    (
        "replace the unicorns with lions",
        "says There is no category called unicorns; there are refunds, order_status, product_info.",
    ),
    ("switch product info to warranty", "change refunds 40, order_status 20, warranty 10"),
    ("go back to the first plan", "change refunds 5, complaints 7"),
    ("back to the original plan", "change refunds 5, complaints 7"),
    ("can we go back to the initial plan please?", "change refunds 5, complaints 7"),
    ("I liked the first one better", "change refunds 5, complaints 7"),
    ("show me the first plan again", "change refunds 5, complaints 7"),
    ("use the original plan", "change refunds 5, complaints 7"),
    ("make refunds multi-turn", "change refunds 40 conversation, order_status 20, product_info 10"),
    ("multi-turn", "change refunds 40 conversation, order_status 20 conversation, product_info 10 conversation"),
    ("multi-turn please", "change refunds 40 conversation, order_status 20 conversation, product_info 10 conversation"),
    (
        "make them multi-turn",
        "change refunds 40 conversation, order_status 20 conversation, product_info 10 conversation",
    ),
    (
        "make it multi-turn",
        "change refunds 40 conversation, order_status 20 conversation, product_info 10 conversation",
    ),
    (
        "turn everything into multi-turn conversations",
        "change refunds 40 conversation, order_status 20 conversation, product_info 10 conversation",
    ),
    (
        "with expected answers",
        "change refunds 40 with expected_facts, order_status 20 with expected_facts, product_info 10 with expected_facts",
    ),
    (
        "add expected answers",
        "change refunds 40 with expected_facts, order_status 20 with expected_facts, product_info 10 with expected_facts",
    ),
    (
        "with reference answers, please",
        "change refunds 40 with expected_facts, order_status 20 with expected_facts, product_info 10 with expected_facts",
    ),
    (
        "write expected answers for all cases",
        "change refunds 40 with expected_facts, order_status 20 with expected_facts, product_info 10 with expected_facts",
    ),
    (
        "I want expected answers too",
        "change refunds 40 with expected_facts, order_status 20 with expected_facts, product_info 10 with expected_facts",
    ),
    ("thanks", "says You are welcome."),
    ("Thanks!", "says You are welcome."),
    ("thanks a lot!", "says You are welcome."),
    ("thank you so much", "says You are welcome."),
    ("thx", "says You are welcome."),
    ("many thanks", "says You are welcome."),
    ("thanks, that's great", "says You are welcome."),
    ("thank you, that is perfect", "says You are welcome."),
    ("cheers mate", "says You are welcome."),
    ("thanks for your help", "says You are welcome."),
    ("much appreciated", "says You are welcome."),
    ("great, thanks", "says You are welcome."),
    ("perfect", "says You are welcome."),
    ("thanks, now make refunds 80", "change refunds 80, order_status 20, product_info 10"),
    (
        "frobnicate the widgets",
        "says I did not understand that. The nearest that I do: “make refunds 80” and “add 20 complaints”",
    ),
    (
        "could you do the thing with the stuff",
        "says I did not understand that. The nearest that I do: “make refunds 80” and “add 20 complaints”",
    ),
    (
        "make the refunds bluer",
        "says I did not understand that. The nearest that I do: “make refunds 80” and “make 10 of the refunds in Spanish”",
    ),
    (
        "why is the sky blue",
        "says I did not understand that. The nearest that I do: “why were so many rejected” and “make refunds 80”",
    ),
    ("export the moon", "says I did not understand that. The nearest that I do: “export to csv” and “make refunds 80”"),
    (
        "rejections of the heart",
        "says I did not understand that. The nearest that I do: “make refunds 80” and “add 20 complaints”",
    ),
    ("qwertz", "says I did not understand that. The nearest that I do: “make refunds 80” and “add 20 complaints”"),
    ("make refunds 80", "change refunds 80, order_status 20, product_info 10"),
    ("double the refunds", "change refunds 80, order_status 20, product_info 10"),
    ("halve refunds and order status", "change refunds 20, order_status 10, product_info 10"),
    ("make half of the refunds angry", "change refunds 20, order_status 20, product_info 10, refunds_angry 20"),
    ("make 10 of the refunds in Spanish", "change refunds 30, order_status 20, product_info 10, refunds_spanish 10"),
    ("refunds should be shorter", "change refunds 40, order_status 20, product_info 10"),
    ("10 more refunds", "change refunds 50, order_status 20, product_info 10"),
    ("20 fewer refunds", "change refunds 20, order_status 20, product_info 10"),
    ("make it 100 cases", "change refunds 57, order_status 29, product_info 14"),
    ("spread it evenly", "change refunds 24, order_status 23, product_info 23"),
    ("make refunds 10, order status 30 and product info 5", "change refunds 10, order_status 30, product_info 5"),
    ("add complaints", "change refunds 40, order_status 20, product_info 10, complaints 10"),
    ("add 5 adversarial cases", "change refunds 40, order_status 20, product_info 10, adversarial 5"),
    ("set refunds to half", "change refunds 35, order_status 23, product_info 12"),
    ("refunds: 25", "change refunds 25, order_status 20, product_info 10"),
    ("call refunds paybacks", "change paybacks 40, order_status 20, product_info 10"),
    ("pause", "pause_generation"),
    ("resume", "resume_generation"),
    ("start", "start_generation"),
    ("status", "get_builder_state_summary"),
    ("how far are we?", "get_builder_state_summary"),
    ("finish", "finalize_dataset"),
    ("export to csv", "export_dataset"),
    ("save a checkpoint", "save_checkpoint"),
    ("show me 5 refunds", "show_cases"),
    ("let me review them", "review_cases"),
    ("review 20 refunds", "review_cases"),
    ('find "broken"', "show_cases"),
    ("why were so many rejected", "explain_rejections"),
    ("use 4 workers", "adjust_category"),
    ("turn off the diversity check", "adjust_category"),
    ("log it to mlflow", "log_to_mlflow"),
    ("write 30 more where it fails", "write_where_it_fails"),
    ("make refunds 0", "says refunds needs at least 1 case; to be without it, say “remove refunds”."),
    ("remove shipping", "says There is no category called shipping; there are refunds, order_status, product_info."),
    ("show me a random case", "show_cases"),
    ("show a random refund", "show_cases"),
    ("pick 3 random refunds", "show_cases"),
    ("surprise me", "show_cases"),
    ("give me an example", "show_cases"),
    ("show me the last 3 cases", "show_cases"),
    ("show me the history", "list_branches"),
    ("history", "list_branches"),
    ("name this point golden", "save_checkpoint"),
    ("call this checkpoint “before lunch”", "save_checkpoint"),
    ("try the exhausted ones again", "retry_exhausted"),
    ("retry the exhausted slots", "retry_exhausted"),
    ("retry", "retry_exhausted"),
    ("try again", "retry_exhausted"),
    ("can you retry what failed?", "retry_exhausted"),
    ("give the exhausted slots another try", "retry_exhausted"),
    ("redo the failed cases", "retry_exhausted"),
    ("write the missing ones again", "retry_exhausted"),
    ("please reopen the exhausted slots", "retry_exhausted"),
    ("fix the failed ones", "retry_exhausted"),
    ("fill the gaps", "retry_exhausted"),
    ("try 3 refunds", "preview_cases"),
    ("which ones are exhausted", "explain_rejections"),
    ("show me the exhausted ones", "explain_rejections"),
    ("is it still working?", "get_builder_state_summary"),
    ("why did it stop", "get_builder_state_summary"),
    ("how did it go?", "get_builder_state_summary"),
    ("kill the workers", "pause_generation"),
    ("cancel the stuck call", "says F6 lists the calls"),
    ("retry batch 12", "says F6 lists the calls"),
    ("use 3 workers", "adjust_category"),
    ("why so many rejected", "explain_rejections"),
    ("watch support", "says /home goes to the list of sessions"),
    ("open", "says /home goes to the list of sessions"),
    ("quit", "says ^Q leaves."),
    ("bye!", "says ^Q leaves."),
    ("close the app", "says ^Q leaves."),
    ("is it saved?", "says Yes, it is safe"),
    ("can I close this now?", "says Yes, it is safe"),
    ("where is my file", "ask_data"),
    ("what next?", "says Say “start” to write the cases"),
    ("what should I do now", "says Say “start” to write the cases"),
    ("how good is it", "says F3 shows how different the cases are"),
    ("set a budget of 5 dollars", "says /budget 5 sets it to $5"),
    ("make it faster", "says “use 8 workers” has more written at once"),
    ("start over", "says A request such as “60 cases for …” plans anew here."),
    ("delete everything", "says A request such as “60 cases for …” plans anew here."),
    ("what can you do?", "says I plan and run evaluation datasets"),
    ("thank you", "says You are welcome."),
    ("make refunds 80 and export to csv", "change refunds 80, order_status 20, product_info 10"),
    ("hello", "says Hello."),
    ("no", "says Fine, nothing is changed."),
    # One case, by hand; what a case must not say; how something is done.
    ("delete case 12", "ask_data"),
    ("add a note to case 12", "ask_data"),
    ("drop the last one", "ask_data"),
    ("more like refunds 12", "ask_data"),
    ("less like that", "says On F2 `d` turns a case away"),
    ("throw away the angry ones", "says Accepted cases go by hand alone"),
    ("no more about shipping", "change refunds 40, order_status 20, product_info 10"),
    ("no more about refunds", "change order_status 20, product_info 10"),
    ("how do I export", "says “Export to csv” writes the cases"),
    ("how can i export this to csv?", "says “Export to csv” writes the cases"),
    ("how do I make refunds 80", "says Say just that: “make refunds 80”."),
    ("what would 80 refunds cost", "says Say the change itself"),
    # Shares, and how all of them are written.
    (
        "make it 20% angry",
        "change refunds 32, order_status 16, product_info 8, refunds_angry 8, order_status_angry 4, product_info_angry 2",
    ),
    (
        "a fifth angry please",
        "change refunds 32, order_status 16, product_info 8, refunds_angry 8, order_status_angry 4, product_info_angry 2",
    ),
    (
        "make it half angry half polite",
        "change refunds 20, order_status 10, product_info 5, refunds_angry 20, order_status_angry 10",
    ),
    ("make it 80% angry and 40% polite", "says Those shares are more than the whole"),
    ("make it 20% angry and refunds 80", "change refunds 80, order_status 16, product_info 8, refunds_angry 8"),
    ("only in German", "change refunds 40, order_status 20, product_info 10"),
    ("translate the refunds into Spanish", "change refunds 40, order_status 20, product_info 10"),
    ("same but shorter", "change refunds 40, order_status 20, product_info 10"),
    ("no cheerful ones", "change refunds 40, order_status 20, product_info 10"),
    ("tone: formal", "change refunds 40, order_status 20, product_info 10"),
    ("more angry ones", "says How many? For example: “write 20 more `angry` cases in refunds”."),
    ("less angry", "says How many of them?"),
    ("too few refunds", "says How many? There are 40 now"),
    ("i need twice as many", "change refunds 80, order_status 40, product_info 20"),
    ("another 20", "says More of which"),
    ("i don't need product info", "change refunds 40, order_status 20"),
    ("don't write any refunds", "change order_status 20, product_info 10"),
    ("make refunds 80 but keep the rest", "change refunds 80, order_status 20, product_info 10"),
    ("rename refunds", "says What should it be called?"),
    # Slips of the hand, signs, capitals, manners.
    ("refnuds 80", "change refunds 80, order_status 20, product_info 10"),
    ("add 10 refnuds", "change refunds 50, order_status 20, product_info 10"),
    ("add 10 returns", "change refunds 40, order_status 20, product_info 10, returns 10"),
    ("pasue", "pause_generation"),
    ("expotr to csv", "export_dataset"),
    ("MAKE REFUNDS 80!!!", "change refunds 80, order_status 20, product_info 10"),
    ("make refunds 80 👍", "change refunds 80, order_status 20, product_info 10"),
    ("stop!!! 😡", "pause_generation"),
    ("please would you be so kind to show me five refunds 🙏", "show_cases"),
    ("give me a random one", "show_cases"),
    ("another one", "show_cases"),
    ("give me the csv", "export_dataset"),
    ("export only refunds", "says An export holds all cases"),
    ("never mind", "says Fine, nothing is changed."),
    ("forget that", "says Fine, nothing is changed."),
    ("that's not what i meant", "says Say it in other words"),
    ("i am confused", "says Ask of the data"),
    ("edit the plan", "says `/plan edit` opens it as a form"),
    ("go back", "says Back to where?"),
    (
        "help",
        "says I plan and run evaluation datasets: say what the bot is for, how many cases, and which kinds; later for instance “make refunds 80”, “pause”, “export to csv”.",
    ),
]


@pytest.mark.parametrize(("said", "done"), BEFORE_A_PLAN)
def test_what_is_said_before_there_is_a_plan(said: str, done: str) -> None:
    assert verdict(understand(said, NOTHING), NOTHING).startswith(done)


@pytest.mark.parametrize(("said", "done"), WITH_A_PLAN)
def test_what_is_said_of_a_plan(said: str, done: str) -> None:
    assert verdict(understand(said, WITH_AXES), WITH_AXES).startswith(done)


def test_the_table_is_long_enough_to_tell() -> None:
    assert len(BEFORE_A_PLAN) + len(WITH_A_PLAN) >= 120


@pytest.mark.parametrize("said", ["frobnicate the widgets", "qwertz uiop\tasdf", "make the refunds bluer", "ünïcode"])
@pytest.mark.parametrize("situation", [NOTHING, WITH_AXES])
def test_what_is_not_understood_gets_one_line_and_leaves_the_plan(said: str, situation: PlanningContext) -> None:
    reading = understand(said, situation)
    assert reading.acts == () and "\n" not in reading.words and "/plan edit" in reading.words


@pytest.mark.parametrize("sentence", intent_table().examples)
def test_each_sentence_that_is_shown_as_understood_is(sentence: str) -> None:
    assert acts_of(understand(sentence, WITH_AXES)), sentence


@pytest.mark.parametrize("sentence", intent_table().first_examples)
def test_so_is_each_that_is_shown_before_there_is_a_plan(sentence: str) -> None:
    assert "did not understand" not in understand(sentence, NOTHING).words, sentence


def test_the_nearest_share_most_words_and_the_table_decides_among_equals() -> None:
    assert nearest("export the moons", ["pause", "export to csv", "start"]) == ("export to csv", "pause")


def test_the_nearest_are_about_the_plan_at_hand() -> None:
    cakes = PlanningContext(plan=shop_plan(cake_orders=30, product_info=10))
    for said, near in (
        ("make cake orders blue", "“make cake orders 80”"), ("swap the product info around", "“swap product info for returns”"),
        ("halve the glaze please", "“make cake orders 80”"),
    ):  # fmt: skip
        told = understand(said, cakes).words
        assert near in told, told
        assert "refunds" not in told


def test_there_is_no_first_plan_to_go_back_to_where_none_was_proposed() -> None:
    reading = understand("go back to the first plan", PlanningContext(plan=shop_plan()))
    assert reading.acts == () and "no earlier plan" in reading.words
