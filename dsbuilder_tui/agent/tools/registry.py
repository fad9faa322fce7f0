"""All tools of the main agent, in the order in which a model is told of them."""

from __future__ import annotations

from typing import Any

from dsbuilder_tui.agent.tools.base import Tool
from dsbuilder_tui.agent.tools.files import ExportDataset, LoadFromCheckpoint, SaveCheckpoint
from dsbuilder_tui.agent.tools.looking import ExplainRejections, GetBuilderStateSummary, PreviewCases, ShowCases
from dsbuilder_tui.agent.tools.planning import DescribeTarget, ProposePlan, RevisePlan
from dsbuilder_tui.agent.tools.running import (
    AdjustCategory,
    FinalizeDataset,
    PauseGeneration,
    ResumeGeneration,
    StartGeneration,
)

TOOLS: tuple[type[Tool[Any]], ...] = (
    DescribeTarget, ProposePlan, RevisePlan, StartGeneration, PauseGeneration, ResumeGeneration, GetBuilderStateSummary,
    PreviewCases, ShowCases, ExplainRejections, AdjustCategory, SaveCheckpoint, LoadFromCheckpoint, FinalizeDataset,
    ExportDataset,
)  # fmt: skip
