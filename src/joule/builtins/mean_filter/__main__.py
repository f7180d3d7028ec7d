"""What `python -m joule.builtins.mean_filter` runs."""

from joule.builtins.mean_filter import main

main()
