"""Open a storage for writing; run as a process by test_schema.py: `open_storage_process.py ADDRESS`."""

import sys

from studies.storage.study_storage import StudyStorage

with StudyStorage.open(sys.argv[1]) as storage:
    print(storage.study_names())
