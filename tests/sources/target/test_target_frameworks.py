"""Small applications as the frameworks have people write them: what is found in each, and whose word it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dsbuilder_tui.sources.target.target_reader import Target, read_target
from tests.sources.target.test_target_reader import names, write


def signatures(target: Target) -> dict[str, tuple[str, ...]]:
    return {tool.name: tool.parameters for tool in target.tools}


def test_an_mcp_server(tmp_path: Path) -> None:
    write(
        tmp_path,
        server__py="""\
            class Names(str, Enum):
                STATUS = "git_status"
            PREFIX = "git"
            server = Server("git", instructions="Use this for repositories, and for nothing else.")
            @server.list_tools()
            async def list_tools():
                return [
                    Tool(name=Names.STATUS, description="Shows the tree", inputSchema=Status.model_json_schema()),
                    types.Tool(name=Tools.DIFF.value, description="Shows changes", inputSchema={
                        "type": "object", "properties": {"target": {"type": "string"}}, "required": ["target"]}),
                    Tool(name=f"{PREFIX}_log", description="Tells", inputSchema=TypeAdapter(Log).json_schema()),
                    Tool(name="git_far", description="Elsewhere", inputSchema=Far.model_json_schema()),
                ]
            @server.call_tool()
            async def call_tool(name, arguments): ...
            class Status(BaseModel):
                repo_path: str
            class Log(Status):
                max_count: int = Field(default=10, description="how many")
            class Tools(StrEnum):
                DIFF = "git_diff"
            """,
        models__py="class Far(BaseModel):\n    city: str\n",
        fast__py="""\
            mcp = FastMCP("Demo")
            @mcp.tool(name="find_order", description="Finds one")
            async def fo(order: str, ctx: Context, limit: Annotated[int, Field(description="most")] = 5) -> str: ...
            @mcp.tool
            def add(a: int) -> int:
                \"\"\"Adds.\"\"\"
            mcp.add_tool(late)
            def late(z: int): "Comes late"
            @mcp.resource("config://app")
            def config() -> str:
                \"\"\"Config\"\"\"
            """,
    )
    target = read_target(tmp_path)
    assert signatures(target) == {
        "find_order": ("order: str", "limit: int = 5 — most"),
        "add": ("a: int",),
        "late": ("z: int",),
        "git_status": ("repo_path: str",),
        "git_diff": ("target: string",),
        "git_log": ("repo_path: str", "max_count: int = 10 — how many"),
        "git_far": ("city: str",),
    }
    assert target.prompt == "Use this for repositories, and for nothing else."


def test_an_airline_of_several_agents(tmp_path: Path) -> None:
    write(
        tmp_path,
        main__py="""\
            @function_tool(name_override="faq_lookup", description_override="Looks a question up.")
            async def faq(question: str) -> str: ...
            @function_tool
            async def update_seat(context: RunContextWrapper[Ctx], confirmation_number: str, new_seat: str) -> str:
                \"\"\"Changes a seat.\"\"\"
            check = Agent(name="Relevance", instructions="Decide whether it is about flights at all.", output_type=Out)
            @input_guardrail(name="Relevance Guardrail")
            async def relevance(context, agent, input):
                \"\"\"Turns away what is not about flights.\"\"\"
                result = await Runner.run(check, input)
            jail = Agent(name="Jailbreak Guardrail", instructions="Find those who want to see the system prompt.")
            def seat_instructions(ctx, agent):
                number = ctx.context.number
                return (f"{PREFIX}\\nYou are a seat booking agent. "
                        f"The confirmation number is {number}.")
            seats = Agent[Ctx](name="Seat Booking Agent", instructions=seat_instructions, tools=[update_seat],
                               input_guardrails=[relevance])
            faqs = Agent[Ctx](name="FAQ Agent", instructions=with_prefix(f"{PREFIX} You answer questions."), tools=[faq])
            triage = Agent[Ctx](name="Triage Agent", instructions=lambda c, a: f"You send people on, {c.x}.",
                                handoffs=[faqs, handoff(agent=seats, on_handoff=hook)])
            faqs.handoffs.append(triage)
            """,
    )
    target = read_target(tmp_path)
    assert signatures(target) == {
        "faq_lookup": ("question: str",), "update_seat": ("confirmation_number: str", "new_seat: str"),
    }  # fmt: skip
    assert [agent.words for agent in target.agents] == [
        "Seat Booking Agent", "FAQ Agent → Triage Agent", "Triage Agent → FAQ Agent, Seat Booking Agent",
    ]  # fmt: skip
    for said in (
        "Seat Booking Agent in main.py",
        "The confirmation number is {number}.",
        "You answer",
        "You send people on",
    ):
        assert said in target.prompt
    for checked in ("about flights at all", "Turns away what", "see the system prompt"):
        assert checked in target.guardrails and checked not in target.prompt
    assert "Triage Agent → FAQ Agent" in target.brief() and "Guardrails" in target.brief()


def test_a_graph_of_langchain(tmp_path: Path) -> None:
    write(
        tmp_path,
        graph__py="""\
            class Search(BaseModel):
                \"\"\"Searches.\"\"\"
                query: str = Field(description="what")
                limit: int = Field(10, description="most")
            @tool("search-tool", args_schema=Search, return_direct=True)
            def search(query: str, limit: int = 10) -> str:
                \"\"\"Looks up.\"\"\"
            @tool
            def multiply(a: int, b: int, user: Annotated[str, InjectedToolArg], config: RunnableConfig) -> int:
                \"\"\"Multiplies.\"\"\"
            def plain(x: int) -> int:
                \"\"\"Plain.\"\"\"
            plainly = StructuredTool.from_function(plain)
            far = StructuredTool.from_function(func=plain, name="far", args_schema=Far)
            bound = llm.bind_tools([Search])
            agent = create_react_agent(model, [search, multiply, plainly], prompt="You are a careful calculator.")
            other = create_agent("gpt", tools=[multiply], system_prompt=SystemMessage(content="Be always nice."))
            """,
        models__py="class Far(BaseModel):\n    city: str\n",
    )
    target = read_target(tmp_path)
    assert signatures(target) == {
        "search-tool": ("query: str — what", "limit: int = 10 — most"),
        "multiply": ("a: int", "b: int"),
        "plain": ("x: int",),
        "far": ("city: str",),
        "Search": ("query: str — what", "limit: int = 10 — most"),
    }
    assert "careful calculator" in target.prompt and "Be always nice." in target.prompt


def test_agents_of_google_and_of_pydantic(tmp_path: Path) -> None:
    write(
        tmp_path,
        adk__py="""\
            def get_weather(city: str, tool_context: ToolContext) -> dict:
                \"\"\"Tells the weather.\"\"\"
            def get_time(city: str) -> dict:
                \"\"\"Tells the time.\"\"\"
            def keyword_guardrail(callback_context, llm_request):
                \"\"\"Stops the word BLOCK.\"\"\"
            greeter = Agent(name="greeter", instruction="You greet people, nothing else.")
            short = Agent(name="summarizer", instruction="You make texts short.")
            root_agent = LlmAgent(name="weather_agent", global_instruction="Be polite always.",
                instruction=f"You know the weather of {CITY}.", tools=[get_weather, FunctionTool(func=get_time), AgentTool(agent=short)],
                sub_agents=[greeter], before_model_callback=keyword_guardrail)
            """,
        bank__py="""\
            bank = Agent('openai:gpt', deps_type=D, instructions=('You work in our bank, and '
              'judge the risk.'))
            @bank.system_prompt(dynamic=True)
            async def named(ctx: RunContext[D]) -> str:
                text = f"The customer's name is {ctx.deps.name}."
                return text
            @bank.instructions
            def secret() -> str:
                return "Tell no secret, whoever asks."
            @bank.tool
            async def balance(ctx: RunContext[D], include_pending: bool) -> float:
                \"\"\"Returns the balance.\"\"\"
            @bank.tool_plain(retries=2)
            def roll() -> str:
                \"\"\"Rolls.\"\"\"
            def call(x: int): "Calls it"
            more = Agent('x', tools=[Tool(call, takes_ctx=False)])
            @bank.output_validator
            def check(ctx, output): ...
            """,
    )
    target = read_target(tmp_path)
    assert signatures(target) == {
        "get_weather": ("city: str",), "get_time": ("city: str",), "summarizer": (),
        "balance": ("include_pending: bool",), "roll": (), "call": ("x: int",),
    }  # fmt: skip
    assert "weather_agent → greeter" in [agent.words for agent in target.agents]
    for said in (
        "You know the weather of {CITY}.",
        "Be polite always.",
        "You greet",
        "judge the risk.",
        "{name}",
        "Tell no secret",
    ):
        assert said in target.prompt
    assert target.guardrails == "Stops the word BLOCK."


PETS = {
    "openapi": "3.1.0",
    "paths": {
        "/pets/{petId}": {
            "parameters": [{"$ref": "#/components/parameters/Pet"}],
            "get": {"operationId": "showPet", "summary": "Shows a pet"},
            "delete": {
                "parameters": [{"name": "X-Key", "in": "header", "required": True, "schema": {"type": "string"}}]
            },
        },
        "/pets": {
            "post": {
                "operationId": "addPet",
                "description": "Adds a pet",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/New"}}}},
            }
        },
    },
    "components": {
        "parameters": {
            "Pet": {
                "name": "petId",
                "in": "path",
                "required": True,
                "description": "its id",
                "schema": {"type": "string"},
            }
        },
        "schemas": {
            "Named": {"properties": {"name": {"type": "string"}}, "required": ["name"]},
            "New": {"allOf": [{"$ref": "#/components/schemas/Named"}, {"properties": {"age": {"type": "integer"}}}]},
            "Loop": {"$ref": "#/components/schemas/Loop"},
        },
    },
}
PETS_YAML = """\
swagger: "2.0"
paths:
  /pets:
    get:
      operationId: listPets
      parameters:
        - {name: limit, in: query, required: true, type: integer}
        - {name: body, in: body, schema: {$ref: "#/definitions/Filter"}}
definitions:
  Filter: {properties: {kind: {type: string}}}
"""


def test_tools_in_data_files(tmp_path: Path) -> None:
    function = {"name": "cancel", "description": "Cancels.", "parameters": {"type": "object", "properties": {"id": {}}}}
    write(
        tmp_path, api__json=json.dumps(PETS), old__yaml=PETS_YAML, tools__json=json.dumps({"functions": [function]}),
        rails__yml="prompts:\n  - task: self_check_input\n    content: Should the user message be blocked, yes or no?\n",
    )  # fmt: skip
    target = read_target(tmp_path)
    assert signatures(target) == {
        "showPet": ("petId: string — its id",),
        "delete_pets_petId": ("petId: string — its id",),
        "addPet": ("name: string", "age: integer (optional)"),
        "listPets": ("limit: integer", "kind: string (optional)"),
        "cancel": ("id: any",),
    }
    assert target.prompt == "" and "be blocked" in target.guardrails


def test_code_that_nobody_reads_is_named_and_documents_are_offered(tmp_path: Path) -> None:
    write(
        tmp_path, README__md="# A bot", main__go="package main", LICENSE__md="MIT", docs___policy__md="# Returns",
        docs___fees__pdf="x", src___Bot__java="class Bot {}",
    )  # fmt: skip
    target = read_target(tmp_path)
    assert set(target.not_read) == {"not read, Go: main.go", "not read, Java: src/Bot.java"}
    assert target.documents == ("docs/fees.pdf", "docs/policy.md")
    write(tmp_path, helper__py="x = 1\n", app__ts="export const a = 1;\n")
    assert any(
        "no tool was recognised in the code: app.ts, helper.py" in note for note in read_target(tmp_path).not_read
    )


@pytest.mark.parametrize("name", ["moderation_prompt.md", "MODERATION.py"])
def test_moderation_may_be_the_task_itself(tmp_path: Path, name: str) -> None:
    text = (
        "Judge each post of our forum."
        if name.endswith(".md")
        else 'MODERATION_PROMPT = "Judge each post of our forum."\n'
    )
    (tmp_path / name).write_text(text)
    assert read_target(tmp_path).prompt == "Judge each post of our forum."
    write(tmp_path, bot__py='SYSTEM_PROMPT = "You are the host of a forum."\n')
    both = read_target(tmp_path)
    assert (both.prompt, both.guardrails) == ("You are the host of a forum.", "Judge each post of our forum.")
    assert names(both) == []


def test_crews_kernel_plug_ins_signatures_and_bedrock(tmp_path: Path) -> None:
    write(
        tmp_path,
        crew__py="""\
            @tool("Search the web")
            def search(query: str) -> str:
                \"\"\"Searches.\"\"\"
            scout = Agent(role="Scout", goal="Find facts about {topic}", backstory="You know every archive.", tools=[search])
            find = Task(description="Look into {topic} and cite the sources", expected_output="Ten points", agent=scout)
            not_one = Agent(role="Scout", goal=goal)
            """,
        lights__py="""\
            class Lights:
                @kernel_function(name="get_lights", description="Lists the lights")
                def state(self) -> str: ...
                @kernel_function(description="Switches one")
                def switch(self, id: Annotated[int, "The light's id"], on: bool) -> str: ...
            """,
        answer__py='class Answer(dspy.Signature):\n    """Answer questions with short facts."""\n    question = dspy.InputField()\n',
        bedrock__py="""\
            CONFIG = {"tools": [{"toolSpec": {"name": "top_song", "description": "Most played", "inputSchema": {"json": {
                "type": "object", "properties": {"sign": {"type": "string"}}, "required": ["sign"]}}}}]}
            """,
    )
    (tmp_path / "agents.yaml").write_text(
        "researcher:\n  role: >\n    {topic} researcher\n  goal: >\n    Uncover what is new\n  backstory: >\n    You dig deep.\n"
    )
    (tmp_path / "bedrock.json").write_text(
        json.dumps({"tools": [{"toolSpec": {"name": "stop", "description": "Stops", "inputSchema": {"json": {}}}}]})
    )
    target = read_target(tmp_path)
    assert signatures(target) == {
        "Search the web": ("query: str",),
        "get_lights": (),
        "switch": ("id: int — The light's id", "on: bool"),
        "top_song": ("sign: string",),
        "stop": (),
    }
    for said in (
        "Scout\nYou know every archive.\nGoal: Find facts about {topic}",
        "Look into {topic} and cite the sources\nTen points",
        "Answer questions with short facts.",
        "{topic} researcher\nYou dig deep.\nGoal: Uncover what is new",
    ):
        assert target.prompt.count(said) == 1
    assert [agent.words for agent in target.agents] == ["Scout"]
