"""impatient.py: events() of read.py with a patience of half a second.

    impatient.py FOLDER-OF-READ.PY URL
"""
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import read  # noqa: E402

for event in read.events(sys.argv[2], idle_s=0.5):
    print(*event, flush=True)
