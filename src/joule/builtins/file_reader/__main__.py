"""What `python -m joule.builtins.file_reader` runs."""

from joule.builtins.file_reader import main

main()
