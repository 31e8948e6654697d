"""``python -m mlops_cli`` is the command ``mlops``."""

from mlops_cli.cli import main

if __name__ == "__main__":
    main()
