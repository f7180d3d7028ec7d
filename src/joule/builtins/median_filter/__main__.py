"""What `python -m joule.builtins.median_filter` runs."""

from joule.builtins.median_filter import main

main()
