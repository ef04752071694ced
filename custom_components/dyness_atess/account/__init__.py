"""What runs for one config entry: the account, its coordinators, when what is asked, and what is kept."""
