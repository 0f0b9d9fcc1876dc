"""A course lab's script as far as MLflow sees it: nested runs a fold, best and last epochs, and one of a single run."""

LAB_SCRIPT = """
import sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("lab")
SCORES = {"FirstRun": (50.49, 48.06, 51.70, 47.33, 49.52), "Run_5_Epochs": (51.46, 49.03, 32.04, 52.18, 48.69)}
for attempt in (0, 1):
    for name, scores in SCORES.items():
        with mlflow.start_run(run_name=name):
            mlflow.log_params({"lr": 0.001, "epochs": 2 if name == "FirstRun" else 5})
            for fold, score in enumerate(scores, 1):
                with mlflow.start_run(run_name=f"Fold_{fold}", nested=True):
                    for epoch in (1, 2):
                        shown = score - 10 * (2 - epoch) - 5 * (1 - attempt)
                        mlflow.log_metrics({"val_accuracy": shown, "train_accuracy": 99.0}, step=epoch)
            mlflow.log_metric("avg_val_accuracy", sum(scores) / 5)
with mlflow.start_run(run_name="All_In_One"):
    for fold, score in enumerate((52.91, 48.30, 50.73, 49.27, 49.64)):
        mlflow.log_metric(f"fold_{fold}/val_accuracy", score)
        mlflow.log_metric(f"fold_{fold}/train_accuracy", 99.0)
"""
