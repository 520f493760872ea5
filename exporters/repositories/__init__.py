"""Collectors: deployments and changes from repositories and their hosts, where no webhook tells of them."""
