"""What `python -m joule.builtins.merge_filter` runs."""

from joule.builtins.merge_filter import main

main()
