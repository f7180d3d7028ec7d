"""What `python -m joule.builtins.random_reader` runs."""

from joule.builtins.random_reader import main

main()
