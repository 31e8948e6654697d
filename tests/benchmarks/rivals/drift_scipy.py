"""What one would write by hand: both tables in memory, scipy's tests and distances column by column."""

import sys
from pathlib import Path

import pandas as pd
from scipy.stats import chi2_contingency, false_discovery_control, ks_2samp, wasserstein_distance


def read(path):
    """Return a table."""
    return pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)


before, after = (read(Path(place)) for place in sys.argv[1:3])
found = {}
for name in after.columns:
    a, b = before[name].dropna(), after[name].dropna()
    if pd.api.types.is_numeric_dtype(a):
        found[name] = ks_2samp(a, b, method="asymp").pvalue, wasserstein_distance(a, b) / a.std()
    else:
        table = pd.concat([a.value_counts(), b.value_counts()], axis=1).fillna(0).to_numpy().T
        shares = table / table.sum(axis=1, keepdims=True)
        found[name] = chi2_contingency(table, correction=False).pvalue, abs(shares[0] - shares[1]).sum() / 2
print(false_discovery_control([p for p, _ in found.values()]).min())
