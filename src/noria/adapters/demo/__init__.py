"""The demonstration company 澄海制造: people, models and months of simulated requests, made by the engine itself."""

from noria.adapters.demo.company import DEMO_TENANT, demo_accounts
from noria.adapters.demo.orders import demo_handlers
from noria.adapters.demo.seeding import seed

__all__ = ["DEMO_TENANT", "demo_accounts", "demo_handlers", "seed"]
