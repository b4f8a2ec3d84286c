"""`python -m ntkverify`."""

import sys

from ntkverify.cli.main import main

sys.exit(main())
