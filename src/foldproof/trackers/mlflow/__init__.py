"""One parent run, one nested run a fold, projected from the journals into MLflow. The only place that knows MLflow."""
