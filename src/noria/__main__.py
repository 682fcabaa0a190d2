"""``python -m noria``: the same as ``noria``."""

from noria.bootstrap import main

if __name__ == "__main__":
    main()
