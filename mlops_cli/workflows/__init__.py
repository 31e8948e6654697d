"""One file per intention of a user: each joins the stages, none of which knows another. Nothing here prints."""
