"""Repositories outside: the command git, and the APIs of GitHub and GitLab."""
