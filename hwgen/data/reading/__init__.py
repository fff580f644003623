"""Records and their shards as a training reads them: batches of lines, and of unlabelled lines beside
them.
"""
