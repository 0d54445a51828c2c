"""Make a storage and a study in it; run as a process by test_storage.py: `create_storage_process.py ADDRESS`."""

import sys

import optuna

from studies.storage.study_storage import StudyStorage

with StudyStorage.create(sys.argv[1]) as storage:
    optuna.create_study(study_name="waves", storage=storage.optuna, load_if_exists=True)
    print(storage.study_names())
