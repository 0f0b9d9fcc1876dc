"""What tests share: commands as they are typed, and scripts of people who do not use foldproof."""
