"""Applications in TypeScript and JavaScript: prompts and tools of the frameworks that people use there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dsbuilder_tui.sources.target.script_tokens import TokenKind, script_tokens
from dsbuilder_tui.sources.target.target_reader import read_target
from tests.sources.target.test_target_frameworks import signatures
from tests.sources.target.test_target_reader import write


def test_the_ai_sdk(tmp_path: Path) -> None:
    write(
        tmp_path,
        route__ts="""\
            // it's a comment with `ticks`
            const CLINIC = 'Smile';
            /** Don't */
            export const systemPrompt = `You are the assistant of ${CLINIC} dental clinic.
            Today is ${new Date().toISOString()}. Customer: ${user.name}. Never give a "diagnosis".`;
            const slot = z.object({ day: z.string().describe("ISO day"), part: z.enum(["am", "pm"]).optional() });
            export const bookSlot = tool({ description: "Books a slot", inputSchema: slot,
              execute: async ({ day }) => { return { ok: /['"]/.test(day) }; } });
            export async function POST(req: Request) {
              const result = streamText({
                model: openai("gpt-4o"), system: systemPrompt,
                tools: {
                  bookSlot,
                  getWeather: tool({
                    description: `Gets the weather`,
                    parameters: z.object({ city: z.string(), days: z.number().int().default(3) }),
                    execute: async ({ city }) => fetchIt(`${BASE}/x?q=${city}`),
                  }),
                  cancel: { description: "Cancels", inputSchema: z.object({ id: z.string() }) },
                },
              });
            }
            """,
        types__d__ts='declare const systemPrompt: "You are declared and no more.";',
    )
    target = read_target(tmp_path)
    assert signatures(target) == {
        "bookSlot": ("day: string — ISO day", "part: one of am, pm (optional)"),
        "getWeather": ("city: string", "days: integer (optional)"),
        "cancel": ("id: string",),
    }
    assert target.prompt == (
        'You are the assistant of Smile dental clinic.\n'
        'Today is {…}. Customer: {name}. Never give a "diagnosis".'
    )  # fmt: skip


def test_agents_with_handoffs_and_guardrails(tmp_path: Path) -> None:
    write(
        tmp_path,
        agents__ts="""\
            const getOrder = tool({ name: 'get_order', description: 'Looks up', parameters: z.object({ orderId: z.string() }),
              async execute({ orderId }) { return "x"; } });
            const refunds = new Agent<Ctx>({ name: 'Refund Agent', instructions: (ctx) => `You refund for ${ctx.context.shop}.`,
              tools: [getOrder] });
            const buildPrompt = (x: string): string => {
              const y = 1;
              return "You are " + x + ", the triage of the shop.";
            };
            const g: InputGuardrail = { name: 'Homework guardrail', execute: async () => {} };
            export const triage = Agent.create({ name: "Triage Agent", instructions: buildPrompt("a"),
              handoffs: [refunds, handoff(faq)], inputGuardrails: [g] });
            const check = new Agent({ name: 'Guardrail check', instructions: 'Check if the user wants homework done.' });
            """,
    )
    target = read_target(tmp_path)
    assert signatures(target) == {"get_order": ("orderId: string",)}
    assert [agent.words for agent in target.agents] == ["Refund Agent", "Triage Agent → Refund Agent, faq"]
    assert "You refund for {shop}." in target.prompt and "You are {x}, the triage" in target.prompt
    assert "wants homework done" in target.guardrails and "Homework guardrail" in target.guardrails
    assert "homework" not in target.prompt


def test_servers_chains_and_plain_definitions(tmp_path: Path) -> None:
    write(
        tmp_path,
        mcp___index__ts="""\
            const server = new McpServer({ name: "demo" }, { instructions: "Use this server for notes only, please." });
            server.tool("add_note", "Adds a note", { text: z.string(), tags: z.array(z.string()).optional() }, async () => ({}));
            server.registerTool("find-note", { description: "Finds", inputSchema: { query: z.string() } }, async () => ({}));
            server.setRequestHandler(ListToolsRequestSchema, async () => ({ tools: [
              { name: "read_file", description: "Reads " + "it", inputSchema: zodToJsonSchema(ReadArgs) as ToolInput },
              { name: ToolName.WRITE, inputSchema: { type: "object", properties: { path: { type: "string" } } } },
            ] }));
            const ReadArgs = z.object({ path: z.string(), head: z.number().optional().describe('lines') });
            enum ToolName { WRITE = "write_file" }
            """,
        chain__mjs="""\
            const search = tool(async ({ query }) => { return "x"; }, { name: "search", description: "Searches",
              schema: z.object({ query: z.string() }) });
            const calc = new DynamicStructuredTool({ name: "calc", description: "Counts", schema: z.object({ a: z.number() }) });
            const prompt = ChatPromptTemplate.fromMessages([["system", "You translate {a} to {b}."], ["human", "{t}"]]);
            const messages = [new SystemMessage("You are a translator for all.")];
            export const weather = createTool({ id: "get-weather", description: "Tells", inputSchema: z.object({ at: z.string() }) });
            """,
        tools__js="""\
            const tools = [{ type: "function", function: { name: "lookup_order", description: "Finds", parameters: {
              type: "object", properties: { id: { type: "string", description: "the id" } }, required: ["id"] } } }];
            const messages = [{ role: "system", content: SYSTEM }, { role: 'user', content: q }];
            const SYSTEM = ["You are a shop bot.", "Be brief."].join("\\n");
            """,
    )
    target = read_target(tmp_path)
    assert signatures(target) == {
        "search": ("query: string",),
        "calc": ("a: number",),
        "get-weather": ("at: string",),
        "lookup_order": ("id: string — the id",),
        "add_note": ("text: string", "tags: array (optional)"),
        "find-note": ("query: string",),
        "read_file": ("path: string", "head: number (optional) — lines"),
        "write_file": ("path: string",),
    }
    for said in ("for notes only", "You translate {a} to {b}.", "translator for all", "You are a shop bot.\nBe brief."):
        assert said in target.prompt


def test_what_only_looks_like_a_tool_or_a_prompt(tmp_path: Path) -> None:
    write(
        tmp_path,
        README__md="# x",
        a__tsx="""\
            const prompt = window.prompt("Your name, please, my friend");
            const tooltip = createTooltip({ description: "Shown above the button", name: "tip" });
            const rows = [{ name: "a", description: "A row of a table" }];
            const view = <p className="system">Don't call tool("x") here</p>;
            it("uses a tool", () => { server.tool(name, about); });
            """,
    )
    target = read_target(tmp_path)
    assert (target.tools, target.prompt) == ((), "")


@pytest.mark.parametrize(
    "text",
    [
        "`" * 100_000, "${" * 100_000, "`${" * 80_000, "(" * 250_000, "[{(" * 80_000, "a=>" * 80_000, "()=>{" * 50_000,
        "'" * 250_000, "/[" * 100_000, "(/[" * 80_000, "/*" * 100_000, "x=tool({a:" * 20_000, "const a = b + " * 18_000,
        "const systemPrompt = a; const a = systemPrompt;" * 5_000, "tool(" * 50_000, "z.object({a:" * 20_000, "\x00\ud800" * 90_000,
        "const p = " + " + ".join(["p"] * 60_000), "return " * 36_000, "f<" * 100_000, "enum a {" * 30_000, "\\" * 200_000,
    ],
    ids=range(22),
)  # fmt: skip
def test_hostile_scripts_cost_little_and_say_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "README.md").write_text("# x")
    (tmp_path / "system_prompt.js").write_text(text, encoding="utf-8", errors="replace")
    assert len(read_target(tmp_path).tools) <= 200


def test_every_character_ends_up_in_order(tmp_path: Path) -> None:
    """Tokens stand in the order of their lines, and strings are taken whole, whatever they hold."""
    source = "a = 'it\\'s';\n/* ` */ b = `x ${f(`y ${z}`)} \\u{41}`; // '\nc = \"/*\"; d = 4 / 2 / 1;\n"
    tokens = script_tokens(source)
    assert [token.text for token in tokens if token.kind in (TokenKind.TEXT, TokenKind.TEMPLATE)] == [
        "it's",
        "x {…} A",
        "/*",
    ]
    assert [token.line for token in tokens] == sorted(token.line for token in tokens)
    assert re.sub(r"\W", "", "".join(token.text for token in tokens if token.kind is TokenKind.NAME)) == "abcd"
