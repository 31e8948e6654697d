"""Everything on disk: what is written where, safely, and how it is read and found again."""
