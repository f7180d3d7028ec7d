"""What `python -m joule.builtins.visualizer_filter` runs."""

from joule.builtins.visualizer_filter import main

main()
