from models.errors import ImageError
from models.pictures.skipped_files import SkippedFile, describe_skipped, is_printable, printable


def test_the_reason_is_taken_from_an_error_that_names_the_file() -> None:
    skipped = SkippedFile.because("a.png", ImageError("'a.png' is a folder. Name a picture file."))
    assert str(skipped) == "a.png is a folder. Name a picture file."


def test_the_first_files_are_named_and_the_rest_is_counted() -> None:
    files = [SkippedFile(name=f"{number}.txt", reason="is odd.") for number in range(7)]
    assert describe_skipped([]) == ""
    assert describe_skipped(files[:1]) == "1 file skipped: 0.txt is odd."
    assert describe_skipped(files).startswith("7 files skipped: 0.txt is odd. 1.txt")
    assert describe_skipped(files).endswith("4.txt is odd. And 2 more.")


def test_names_that_would_break_a_terminal_are_made_printable() -> None:
    assert printable("a\x1b[31m\n.png") == "a\ufffd[31m\ufffd.png"
    assert printable(b"caf\xe9.png".decode(errors="surrogateescape")) == "caf\ufffd.png"
    narrow_space = "Screenshot 3.15\u202fPM \N{FAMILY}.png"
    assert printable(narrow_space) == narrow_space
    assert [is_printable(name) for name in ("a\x00", narrow_space)] == [False, True]
