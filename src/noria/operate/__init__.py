"""Operate: running it for people: deploy, start, inbox, verbs, timers, jobs, messages, history."""
