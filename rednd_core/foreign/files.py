"""Which files can hold vectors of another program, by their endings."""

TABLES = (".csv", ".tsv", ".parquet", ".pq", ".feather")
STATE_DICTS = (".pt", ".pth", ".ckpt")
SUFFIXES = (".npy", ".npz", ".safetensors", *TABLES, *STATE_DICTS)
