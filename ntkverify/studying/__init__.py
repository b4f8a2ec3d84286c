"""What every study is made of: grids, a ledger of finished cells, fits, and what a cell measures."""
