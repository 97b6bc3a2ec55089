// Small things of the control room's pages.
