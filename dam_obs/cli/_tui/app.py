"""The application: panes, a field to filter by, and keys."""

from __future__ import annotations

import os
from functools import partial
from typing import ClassVar, Final

from rich.text import Text
from textual import on, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.timer import Timer
from textual.widgets import Footer, Input, Label, Static
from textual.worker import get_current_worker

from dam_obs.cli._tui.help import Help
from dam_obs.cli._tui.load import Loaded, OpenSource
from dam_obs.cli._tui.panes import Details, TraceList, TraceTree
from dam_obs.cli._tui.rows import Found, NodeRow, find
from dam_obs.cli._units import counted
from dam_obs.errors import DamObsError
from dam_obs.store.filter import BadFilter, Filter, parse_filter
from dam_obs.text import printable

SETTLE_SECONDS: Final = 0.1
"""After the last key a filter is tried."""

_WIDE: Final = 120
_LIGHT_BACKGROUNDS: Final = frozenset({"7", "15"})


class TraceApp(App[None]):
    """Shows traces until the user leaves."""

    CSS_PATH = "app.tcss"
    TITLE = "dam-obs"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_WIDE, "-wide")]  # noqa: RUF012  (as textual declares it)

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("escape", "leave_filter", "Back to the list"),
        Binding("enter", "enter", "Open", show=False),
        Binding("p", "parent", "Parent"),
        Binding("e", "error(1)", "Error"),
        Binding("E", "error(-1)", "Previous", key_display="E"),
        Binding("c", "copy", "Copy"),
        Binding("z", "zoom", "Zoom"),
        Binding("t", "theme", "Light or dark", show=False),
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(self, loaded: Loaded, filter_text: str = "", source: OpenSource | None = None) -> None:
        """
        Make the application; `run` shows it.

        Args:
            loaded: What is to be shown.
            filter_text: What stands in the filter's field at the beginning.
            source: Where there may be more than that; `None` if everything is at hand.
        """
        super().__init__()
        self._newest = loaded
        self._loaded = loaded
        """The newest traces, or those that were found in the whole source."""
        self._source = source
        self._filter_text = filter_text
        self._asked = 0
        """Filters that were tried so far: an answer to an earlier one than the last is not wanted any more."""
        self._waiting: Timer | None = None
        self._edge = 0
        """Set while another trace is gone to for an error: 1 for its first one, -1 for its last."""

    def compose(self) -> ComposeResult:
        """Yield what is on the screen, from the top."""
        with Horizontal(id="source"):
            yield Static(Text(self._newest.name), id="name")
            yield Static(id="how-much")
        with Horizontal(id="search"):
            yield Label("Filter", id="search-label")
            yield Input(
                self._filter_text,
                placeholder="words, layer:focus, status:error, duration:>100ms, -component:cache.py",
                compact=True,
                select_on_focus=False,
                id="filter",
            )
        yield Static("", id="said")
        with Container(id="panes"):
            yield TraceList()
            yield TraceTree()
            yield Details()
        yield Footer()

    def on_mount(self) -> None:
        """Show everything, then what the filter leaves of it."""
        self.theme = "textual-light" if _is_light() else "textual-dark"
        self.query_one("#details").border_title = "Event"
        self.query_one("#how-much", Static).update(_how_much(self._newest))
        traces = self.query_one(TraceList)
        traces.focus()
        if not self._newest.events_in_source:
            traces.show(())
            self._say("there are no events yet")
            return
        self._show_found([Found(row, frozenset(range(len(row.nodes)))) for row in self._newest.rows], "")
        if self._filter_text:
            self._try_filter(self._filter_text)

    # -- the filter

    @on(Input.Changed, "#filter")
    def _typed(self, message: Input.Changed) -> None:
        self._try_filter(message.value)

    @on(Input.Submitted, "#filter")
    def _entered(self, message: Input.Submitted) -> None:
        """Go to the list; look for more than what was loaded, if there is more."""
        wanted = self._understood(message.value)
        if wanted is None:
            return
        self.query_one(TraceList).focus()
        if self._source is not None and not self._newest.is_whole and not wanted.is_everything:
            self._begin_anew()
            self._say(f"looking in all {counted(self._newest.events_in_source, 'event')} …")
            self._find_in_source(self._source, wanted, self._asked)

    def _try_filter(self, text: str) -> None:
        """Look for what a filter lets through; one that is wrong leaves everything as it is, and says where."""
        self._begin_anew()
        wanted = self._understood(text)
        if wanted is None:
            return
        # A word that is not finished fits other events than it will: what it finds is not shown to who types on.
        self._waiting = self.set_timer(SETTLE_SECONDS, partial(self._find, self._newest, wanted, self._asked))

    def _begin_anew(self) -> None:
        """Let go of what is being looked for."""
        self._asked += 1
        self.workers.cancel_group(self, "filter")
        if self._waiting is not None:
            self._waiting.stop()

    def _understood(self, text: str) -> Filter | None:
        """Return the filter that a text is; if it is none, say so."""
        try:
            wanted = parse_filter(text)
            wanted.check_layers(self._newest.layers)
        except BadFilter as error:
            self._say_wrong(error)
            return None
        return wanted

    @work(thread=True, exclusive=True, group="filter")
    def _find_in_source(self, source: OpenSource, wanted: Filter, asked: int) -> None:
        worker = get_current_worker()
        try:
            among = None if worker.is_cancelled else source.fitting(wanted)
        except DamObsError as error:
            self.call_from_thread(self._say, printable(str(error)))
            return
        if among is not None and not worker.is_cancelled:
            found = find(among.rows, wanted, lambda: worker.is_cancelled)
            if found is not None:
                self.call_from_thread(self._take_answer, among, found, wanted, asked)

    @work(thread=True, exclusive=True, group="filter")
    def _find(self, among: Loaded, wanted: Filter, asked: int) -> None:
        worker = get_current_worker()
        found = find(among.rows, wanted, lambda: worker.is_cancelled)
        if found is not None:
            self.call_from_thread(self._take_answer, among, found, wanted, asked)

    def _take_answer(self, among: Loaded, found: list[Found], wanted: Filter, asked: int) -> None:
        if asked == self._asked:
            self._loaded = among
            self._show_found(found, wanted.text)

    def _show_found(self, found: list[Found], text: str) -> None:
        traces = self.query_one(TraceList)
        traces.show(found)
        traces.border_title = f"Traces: {len(found):,}"
        events = sum(len(each.matching) for each in found)
        says = f"{counted(events, 'event')} in {counted(len(found), 'trace')}{' fit' if text else ''}"
        if self._loaded is not self._newest:
            says += f", of all {counted(self._loaded.events_in_source, 'event')}"
        elif text and self._source is not None and not self._newest.is_whole:
            says += f"; Enter looks in all {counted(self._newest.events_in_source, 'event')}"
        self._say(says)

    def _say(self, text: str) -> None:
        said = self.query_one("#said", Static)
        said.set_class(False, "wrong")
        said.update(Text(text))

    def _say_wrong(self, error: BadFilter) -> None:
        said = self.query_one("#said", Static)
        said.set_class(True, "wrong")
        column = error.mark.column + 1
        text = printable(f"column {column}: {error.problem}")
        pointed = f"{' ' * error.mark.column}^ {text}"
        room = said.content_size.width
        said.update(Text(pointed if len(pointed) <= room else text))

    # -- what is chosen

    @on(TraceList.Chosen, "#traces")
    def _trace_chosen(self) -> None:
        found = self.query_one(TraceList).chosen
        tree = self.query_one(TraceTree)
        tree.show(found)
        tree.border_title = "Events" if found is None else f"Events: {len(found.row.nodes):,}"
        edge, self._edge = self._edge, 0
        errors = _errors_of(found) if edge and found is not None else []
        if errors:
            tree.choose(errors[0 if edge > 0 else -1])

    @on(TraceTree.Chosen, "#tree")
    def _event_chosen(self) -> None:
        self.query_one(Details).show(self.query_one(TraceTree).chosen)

    # -- keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Tell whether a key does anything now, so that only those that do stand at the bottom."""
        if action == "leave_filter":
            return isinstance(self.focused, Input) or self.screen.maximized is not None
        return action != "filter" or not isinstance(self.focused, Input)

    def action_filter(self) -> None:
        """Go to the filter's field."""
        self.query_one("#filter").focus()

    def action_leave_filter(self) -> None:
        """Leave the field, or a pane that fills the screen."""
        if self.screen.maximized is not None:
            self.screen.minimize()
        elif isinstance(self.focused, Input):
            self.query_one(TraceList).focus()

    def action_enter(self) -> None:
        """Go from the list to the tree, and from the tree to the details."""
        if isinstance(self.focused, TraceList):
            self.query_one(TraceTree).focus()
        elif isinstance(self.focused, TraceTree):
            self.query_one(Details).focus()

    def action_parent(self) -> None:
        """Choose the event in which the chosen one ran."""
        tree, node = self.query_one(TraceTree), self._event()
        if node is None:
            return
        if node.parent is not None:
            tree.choose(node.parent)
        elif node.event.parent_id is not None:
            self._tell(f"its parent {node.event.parent_id} is not among the events that were loaded")
        else:
            self._tell("this is the root")

    def action_error(self, by: int) -> None:
        """Choose the next failed event, or the one before; behind a trace's last one go on with the next trace."""
        traces, tree = self.query_one(TraceList), self.query_one(TraceTree)
        found, at = traces.chosen, tree.chosen_number
        if found is None or at is None:
            return
        further = [number for number in _errors_of(found) if (number - at) * by > 0]
        if further:
            tree.choose(min(further) if by > 0 else max(further))
            return
        last = len(traces.found) if by > 0 else -1
        for number in range(traces.cursor + by, last, by):
            if traces.found[number].row.errors:
                self._edge = by
                traces.cursor = number
                return
        self._tell("no more errors in this direction")

    def action_copy(self) -> None:
        """Put the chosen event's handle where the terminal keeps what was copied."""
        node = self._event()
        if node is not None:
            self.copy_to_clipboard(printable(node.event.trace_id))
            self._tell(f"copied {node.event.trace_id}")

    def action_zoom(self) -> None:
        """Give the whole screen to a pane, or take it back."""
        if self.screen.maximized is not None:
            self.screen.minimize()
        elif self.focused is not None and not isinstance(self.focused, Input):
            self.screen.maximize(self.focused, container=False)

    def action_theme(self) -> None:
        """Change from dark to light, or back."""
        self.theme = "textual-dark" if self.theme == "textual-light" else "textual-light"

    def action_help(self) -> None:
        """Say which keys there are."""
        self.push_screen(Help())

    def _event(self) -> NodeRow | None:
        return self.query_one(TraceTree).chosen

    def _tell(self, text: str) -> None:
        self.notify(printable(text), timeout=3, markup=False)


def _errors_of(found: Found) -> list[int]:
    return [number for number, node in enumerate(found.row.nodes) if node.event.status == "error"]


def _how_much(loaded: Loaded) -> Text:
    """Say how much of the source is shown."""
    skipped = f"; {counted(loaded.skipped, 'line')} skipped" if loaded.skipped else ""
    if loaded.is_whole:
        return Text(f"all events{skipped}")
    newest = f"the newest {loaded.events:,} of {counted(loaded.events_in_source, 'event')}"
    return Text(f"{newest}; --last {loaded.events_in_source} loads all{skipped}")


def _is_light() -> bool:
    """Tell whether the terminal says that its background is light, as some do."""
    return os.environ.get("COLORFGBG", "").rpartition(";")[2] in _LIGHT_BACKGROUNDS
