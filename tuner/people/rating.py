"""A session in which a person answers which of two outputs is better, in a terminal with a picture file."""

import datetime
import getpass
from collections.abc import Callable
from pathlib import Path
from typing import Final, final

from dashboards.contact_sheet import pair_sheet
from dashboards.picture_titles import is_question
from groundwork.output_files import check_output
from groundwork.whole_files import write_whole
from measures.quality import Exponents
from studies.errors import PreferenceError
from studies.preferences.answers import FIRST, SECOND, TIE, Preference, check_rater, load_preferences, save_preferences
from studies.preferences.calibrated_ranking import asking_command, load_choices, load_parts
from studies.preferences.question_pictures import PictureSource
from studies.preferences.questions import Question, QuestionChooser, find_pairs
from studies.records.summaries import StudySummary
from studies.storage.addresses import storage_files
from studies.storage.database_errors import storage_errors
from studies.storage.study_identity import find_by_uuid
from studies.storage.study_storage import StudyStorage

QUIT: Final = "q"
LEFT: Final = "a"
RIGHT: Final = "b"
EVEN: Final = "t"
KEYS: Final = (LEFT, RIGHT, EVEN, QUIT)

Ask = Callable[[str], str | None]
"""Shows a prompt and returns the line that was typed; None at the end of the input."""


def own_name() -> str:
    """Return the user's name on this system.

    Raises:
        PreferenceError: The system knows none.
    """
    try:
        return check_rater(getpass.getuser())
    except (OSError, KeyError, ImportError) as error:
        raise PreferenceError("This system knows no user name. Say who answers with --rater NAME.") from error


@final
class RatingSession:
    """Asks one rater about one study; each answer is stored before the next question."""

    def __init__(
        self, storage: StudyStorage, summary: StudySummary, *, rater: str, picture: Path, seed: int | None
    ) -> None:
        """Find out what can be asked, and what this rater was asked before.

        Args:
            storage: Opened for writing.
            summary: The study.
            rater: The person's name.
            picture: PNG file that is written anew for each question.
            seed: Of the choice of questions and sides; None draws anew each time.

        Raises:
            CalibrationError: The name cannot be one.
            PreferenceError: There is nothing to ask about.
            OutputError: The picture's file cannot be taken.
            StorageError: The database cannot be read.
        """
        self._rater = check_rater(rater)
        self._storage = storage
        self._summary = summary
        self._picture = picture
        kept = storage_files(storage.url)
        check_output(picture, called="`--picture`", suffixes=(".png",), is_ours=is_question, kept=kept)
        self._parts = load_parts(storage, summary)
        material = find_pairs(summary, self._parts)
        self.notes = material.notes
        with storage_errors(storage.url):
            given = load_preferences(storage.read_engine, study_uuid=summary.uuid, who=rater)
        self._chooser = QuestionChooser(
            material.pairs,
            asked=[
                ((answer.photo_sha256, answer.first_trial, answer.second_trial), answer.left_trial) for answer in given
            ],
            exponents=Exponents(content=summary.record.content_exponent),
            seed=seed,
        )
        self._source = PictureSource(storage, summary)
        self.introduction = (
            f"{material.num_trials} trials, {material.num_photos} photos, {self._chooser.num_fresh} of "
            f"{len(material.pairs)} pairs not asked about yet. Look at {picture} and answer {LEFT} or {RIGHT} for the "
            f"output that you would rather have, {EVEN} for a tie, {QUIT} to stop. Every answer is kept at once."
        )

    def run(self, num_choices: int, ask: Ask) -> int:
        """Ask until there are so many answers, or the rater stops; return how many were given."""
        return self._run(num_choices, ask, self._chooser.choose)

    def run_again(self, num_repeats: int, ask: Ask) -> int:
        """Ask earlier questions again, at most each of them once; return how many answers were given.

        Raises:
            PreferenceError: The rater has answered nothing that could be asked again.
        """
        if not self.num_repeatable:
            raise PreferenceError(
                f"{self._rater} has answered no question about {self._summary.name!r} yet, so none can be asked again. "
                f"Answer some first: {asking_command(self._summary.name, self._rater)}"
            )
        return self._run(min(num_repeats, self.num_repeatable), ask, self._chooser.choose_again)

    def _run(self, num_choices: int, ask: Ask, choose: Callable[[], Question]) -> int:
        for number in range(num_choices):
            self._require_study("There is nothing left to ask about.")
            question = choose()
            # Who is asked stands in the picture: two sessions in one folder would draw into the same file.
            self._draw(question, title=f"{self._rater}, question {number + 1}: which is better, A or B?")
            key = self._ask(ask, f"[{number + 1}/{num_choices}] {'/'.join(KEYS)}: ")
            if key == QUIT:
                return number
            self._keep(question, key)
        return num_choices

    @property
    def num_repeatable(self) -> int:
        """Pairs that the rater was asked about, and can be again."""
        return self._chooser.num_asked

    def num_usable(self) -> int:
        """How many answers of the rater can be used for a calibration, those of earlier sessions included."""
        return len(load_choices(self._storage, self._summary, self._parts, rater=self._rater).usable)

    def _ask(self, ask: Ask, prompt: str) -> str:
        line = ask(prompt)
        while line is not None and line.strip().lower() not in KEYS:
            line = ask(f"{LEFT}: A is better, {RIGHT}: B is better, {EVEN}: tie, {QUIT}: stop. {prompt}")
        return QUIT if line is None else line.strip().lower()

    def _draw(self, question: Question, *, title: str) -> None:
        """Replace the picture in one step: a viewer that follows the file never sees half of it."""
        photo = question.pair.photo
        outputs = (self._source.output(question.left, photo), self._source.output(question.right, photo))
        content = pair_sheet(self._source.photo(photo), self._source.style, outputs, title=title)
        try:
            write_whole(self._picture, content)
        except OSError as error:
            raise PreferenceError(
                f"The picture of a question cannot be written to {self._picture}: {error.strerror}. Choose another "
                "file with --picture."
            ) from error

    def _require_study(self, consequence: str) -> None:
        with storage_errors(self._storage.url):
            place = find_by_uuid(self._storage.read_engine, self._summary.uuid)
        if place is None:
            raise PreferenceError(f"Study {self._summary.name!r} was deleted meanwhile. {consequence}")

    def _keep(self, question: Question, key: str) -> None:
        self._require_study("The last answer is not stored.")
        first, second = question.pair.trials
        preferred = {LEFT: question.left, RIGHT: question.right}.get(key)
        preference = Preference(
            who=self._rater,
            answered_at=datetime.datetime.now(datetime.UTC),
            study_uuid=self._summary.uuid,
            photo_sha256=question.pair.photo,
            first_trial=first,
            second_trial=second,
            left_trial=question.left,
            answer=TIE if preferred is None else FIRST if preferred == first else SECOND,
            judge_version=self._summary.record.judge_version,
        )
        with storage_errors(self._storage.url):
            save_preferences(self._storage.engine, [preference])
