"""Word lists of the generator: names of people, places and companies, and the words of selling."""
