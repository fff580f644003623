"""How lines become records: the embedded corpus, foreign collections, folders of pictures."""
