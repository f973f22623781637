"""`python cli.py ...` from a checkout: the same commands as the installed `kerasgan`."""

from kerasgan_cli import main

if __name__ == "__main__":
    main()
