"""Stage `evaluate`: write the scores of a trained model, its learning curve and its pictures."""

from pipelines.cli import arguments
from pipelines.io import write_csv, write_json
from pipelines.params import section
from pipelines.paths import Layout
from pipelines.runner import run_stage
from pipelines.tracking.mlflow_run import tracked
from pipelines.tracking.provenance import new_run, write_provenance
from s3vae.baselines.saved import load_model
from s3vae.data.clips import ClipFile
from s3vae.evaluation.evaluate import judged_clips, learning_curve, score
from s3vae.evaluation.metrics import NOT_JUDGED
from s3vae.evaluation.pictures import write_pictures
from s3vae.evaluation.prediction_file import write_predictions
from s3vae.evaluation.settings import EvaluationSettings
from s3vae.files import checksum_of
from s3vae.judge.saved import load_judge
from s3vae.runtime import choose_device, keep_freed_memory
from s3vae.signals.landmark_file import LandmarkSignal
from s3vae.weights import WEIGHTS


def evaluate(files: Layout, method: str, settings: EvaluationSettings) -> None:
    """Write pictures, then scores, curve and predictions; if nothing is judged, the reason too."""
    clips, device, folder = ClipFile(files.clips), choose_device(), files.model(method)
    model, judge = load_model(folder, device), load_judge(files.judge, device)
    inputs = [checksum_of(used / WEIGHTS) for used in (folder, files.judge)]
    run = new_run(
        "evaluate", files.dataset, method, settings, clips, *inputs, weights_sha256=inputs[0]
    )
    landmarks = None
    if model.architecture.predicts == "distances":
        landmarks = LandmarkSignal(files.landmarks)
        landmarks.require_clips(clips.sha256)
    results, archive = files.scores(method), files.predictions(method)
    with tracked(run) as tracker:
        write_pictures(model, clips, settings, device, results / "pictures", landmarks)
        tracker.file(results / "pictures")
        real, reason = judged_clips(judge, clips, settings, device)
        found, predictions = score(model, judge, clips, real, settings, device, landmarks)
        scores = found | ({NOT_JUDGED: reason} if reason else {})
        curve = learning_curve(folder, judge, clips, real, device) if real is not None else []
        write_json(results / "metrics.json", scores)
        write_csv(results / "curve.csv", curve)
        write_predictions(archive, predictions)
        write_provenance(results, run, folder)
        tracker.scores(scores)
        tracker.file(archive, "predictions")


if __name__ == "__main__":
    keep_freed_memory()
    dataset, chosen = arguments("dataset", "method")
    settings = section(EvaluationSettings, dataset, "evaluation")
    run_stage(f"evaluate {dataset} {chosen}", lambda: evaluate(Layout(dataset), chosen, settings))
