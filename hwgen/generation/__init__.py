"""Writing into files: texts as pictures of lines, sheets and pages, or as records to learn from."""
