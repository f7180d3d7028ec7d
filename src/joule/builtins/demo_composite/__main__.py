"""What `python -m joule.builtins.demo_composite` runs."""

from joule.builtins.demo_composite import main

main()
