"""One file a question that many training runs answer."""
