"""A lint for evaluation datasets, whoever wrote them: repeats, leaks, faults of cases, personal data."""

from dsbuilder_tui.lint.dataset_check import check
from dsbuilder_tui.lint.finding import CheckCode, CheckFinding, Severity
from dsbuilder_tui.lint.fixes import Repair, RowChange
from dsbuilder_tui.lint.judged_sample import judged_sample
from dsbuilder_tui.lint.report import CheckReport

__all__ = ["CheckCode", "CheckFinding", "CheckReport", "Repair", "RowChange", "Severity", "check", "judged_sample"]
