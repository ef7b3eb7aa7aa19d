"""How the slots of a page are sold: who gets which, and what a click costs."""
