"""`python -m instagrowth.embedded.after FILE COMMAND …`: become the command once the file exists.

So worker and beat are there from the start, with the number and the kernel's wish they keep, but touch no table before
the migrations are done, which run while the web loads.
"""

import os
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    while not Path(sys.argv[1]).exists():
        time.sleep(0.05)
    os.execv(sys.argv[2], sys.argv[2:])
