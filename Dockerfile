# syntax=docker/dockerfile:1
# One Dockerfile, one set of layers. The images differ in their last, empty layers only:
#   dataflow  Dataflow's worker, and the launcher of the flex templates (Beam's entry point)
#   trainer   all commands, not as root: Vertex AI trains, evaluates and analyses with it (ENTRYPOINT avinst)
# The stage `test` runs the tests in what both hold.
#   docker build --target=trainer --tag=avinst/trainer .
#   docker build --target=trainer --build-arg=VARIANT=gpu --tag=avinst/trainer-gpu .
ARG PYTHON=3.11
# As in requirements.lock, for the entry point has to fit the package; a test holds the two together.
ARG BEAM=2.77.0
ARG LAUNCHER=20230622_RC00

FROM apache/beam_python${PYTHON}_sdk:${BEAM} AS beam
FROM gcr.io/dataflow-templates-base/python311-template-launcher-base:${LAUNCHER} AS launcher

# What changes least comes first: the packages are a layer of 3.5 GB that only a change of the lock makes anew.
FROM python:${PYTHON}-slim AS packages
# cpu or gpu: the latter adds NVIDIA's libraries for TensorFlow, the driver is the machine's.
ARG VARIANT=cpu
ENV PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PYTHONUNBUFFERED=1 TF_CPP_MIN_LOG_LEVEL=3
WORKDIR /opt/avinst
COPY cloud/install.sh cloud/${VARIANT}.lock cloud/
# Into the global environment: Beam's boot makes a virtual environment of its own over it, which does not see others
# (https://docs.cloud.google.com/dataflow/docs/guides/build-container-image).
RUN cloud/install.sh packages cloud/${VARIANT}.lock

FROM packages AS wheel
COPY setup.py pyproject.toml MANIFEST.in README.md LICENSE ./
COPY avinst avinst
COPY beam_pipelines beam_pipelines
COPY trainer trainer
COPY analysis analysis
RUN cloud/install.sh wheel /wheels

FROM packages AS runtime
COPY --from=beam /opt/apache/beam /opt/apache/beam
COPY --from=launcher /opt/google/dataflow/python_template_launcher /opt/google/dataflow/python_template_launcher
RUN useradd --create-home --uid 1000 avinst
COPY cloud/flex_template.py cloud/
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels cloud/install.sh avinst /wheels/avinst-*.whl
# The image is of use only if the packages in it work together.
RUN cloud/install.sh check
# Where services mount a GPU's driver, as NVIDIA's own images have it; without one it changes nothing.
ENV LD_LIBRARY_PATH=/usr/local/nvidia/lib:/usr/local/nvidia/lib64 NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
# All that workers need is here: no environment over this one is made at their start.
ENV RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT=1
# What the launcher runs. One image is worker and launcher, with the worker's entry point, as in Google's sample:
# https://github.com/GoogleCloudPlatform/python-docs-samples/tree/main/dataflow/flex-templates/pipeline_with_dependencies
ENV FLEX_TEMPLATE_PYTHON_PY_FILE=/opt/avinst/cloud/flex_template.py

FROM runtime AS test
COPY requirements.lock ./
RUN cloud/install.sh packages requirements.lock
COPY . .
# The tests are to find the wheel that ships, not the sources that it was built from.
RUN cloud/install.sh tree .
# What `make test` runs, without make and without a second virtual environment. As the user of the trainer: root could
# write where the tests expect a refusal.
RUN chown -hR avinst /opt/avinst
USER avinst
ENV HOME=/home/avinst
RUN python -m pytest -m "not slow" -q -p no:cacheprovider

FROM runtime AS dataflow
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="avinst, for Dataflow" \
      org.opencontainers.image.description="Worker and flex template launcher of avinst prepare and predict" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# As root: Dataflow mounts the worker's directories as root's, and boot writes to them
# (https://github.com/pangeo-data/pangeo-docker-images/pull/360).
ENTRYPOINT ["/opt/apache/beam/boot"]

FROM runtime AS trainer
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="avinst" \
      org.opencontainers.image.description="All of avinst's commands, for training on Vertex AI and elsewhere" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
USER avinst
# Keras and Matplotlib write there.
ENV HOME=/home/avinst
WORKDIR /home/avinst
ENTRYPOINT ["avinst"]
