"""Labels of pictures: what is true of each line, character and component, one format a file."""
