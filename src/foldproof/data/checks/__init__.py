"""Check a scanned folder of images: findings, duplicates and a data card."""
