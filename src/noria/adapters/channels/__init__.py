"""Ways out of the house for notices: e-mail, robots of chat rooms, webhooks."""
