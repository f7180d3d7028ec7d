"""What `python -m joule.builtins.system_reader` runs."""

from joule.builtins.system_reader import main

main()
