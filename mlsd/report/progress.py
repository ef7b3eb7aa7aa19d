"""What a terminal shows while a run goes on: a line a step, with a bar where a step tells how far it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from mlsd import progress as ground


class Steps:
    """Shows and times the steps of a run. Where the output is no terminal, a finished step is one line.

    Example:
        >>> from io import StringIO
        >>> steps = Steps(Console(file=StringIO()))
        >>> with steps("log") as told:
        ...     told(1, 2, "days")
        >>> list(steps.durations_s)
        ['log']
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.durations_s: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[ground.Progress]:
        """A step that lasts as long as the block; the block may tell how far it is."""
        start = perf_counter()
        with self._bar() as bar:
            yield _Told(bar, bar.add_task(name, total=None, note=""))
        self.durations_s[name] = perf_counter() - start
        self.console.print(f"[green]✓[/] {name:<10} [dim]{self.durations_s[name]:6.1f} s[/]", highlight=False)

    def _bar(self) -> Progress:
        return Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<10}"),
            BarColumn(bar_width=30),
            TextColumn("[dim]{task.fields[note]}[/]"),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )


class _Told:
    """Moves the bar of one step."""

    def __init__(self, bar: Progress, task: TaskID) -> None:
        self.bar, self.task = bar, task

    def __call__(self, done: int, total: int, what: str) -> None:
        self.bar.update(self.task, completed=done, total=total, note=f"{done} of {total} {what}")
