"""`python -m kerasgan_cli`."""

from kerasgan_cli import main

if __name__ == "__main__":
    main()
