"""Project journals into MLflow: a parent run for each run, a nested one for each fold. Nothing else imports MLflow."""
