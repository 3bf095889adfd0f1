"""Why a model decides: features, importance, correlation, Grad-CAM and the report."""
